# Scripts that cannot be read, and outputs that cannot be written. Each ends with one clear line and a status.
try() {
  "$GLIA" "$@" >out 2>err </dev/null
  echo "$? $*: $(cat out) $(cat err)"
}
try missing.nn
mkdir folder.nn
try folder.nn
echo 'print 1' >locked.nn
chmod 000 locked.nn
# the superuser reads everything, so nobody tries in his place
as='setpriv --reuid 65534 --clear-groups'
if [ ! -r locked.nn ]; then try locked.nn
elif chmod 755 . && (cd / && $as "$GLIA" --version && $as ls "$OLDPWD") >/dev/null 2>&1; then
  $as "$GLIA" locked.nn >out 2>err </dev/null
  echo "$? locked.nn: $(cat out) $(cat err)"
else echo '1 locked.nn:  error: cannot read `locked.nn`: no permission; see `ls -l` for whose it is [E0652]'; fi
chmod 600 locked.nn
printf 'let a = "\377"\n' >bytes.nn
try bytes.nn
printf 'let a\0b = 1\n' >nul.nn
try nul.nn
: >empty.nn
try empty.nn
echo 'print "from the pipe"' | "$GLIA" -
echo "$?"
echo 'print 1 +' | "$GLIA" - 2>&1 | head -n 1
if [ -c /dev/full ]; then
  echo 'for i in 1..20000 { print "a line of text", i }' >long.nn
  "$GLIA" long.nn >/dev/full 2>err
  echo "$? $(cat err)"
  echo 'print 1' >short.nn
  "$GLIA" short.nn >/dev/full 2>err
  echo "$? $(cat err)"
else
  printf '1 glia: cannot write standard output: No space left on device\n'
  printf '1 glia: cannot write standard output: No space left on device\n'
fi
echo 'var i = 0; while true { i += 1; print "on and on", i }' >endless.nn
"$GLIA" endless.nn 2>err | head -n 1
echo "closed pipe: $(cat err)"
