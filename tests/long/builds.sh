#!/bin/sh
# builds: the ways in which others build and test: with clang, without the archive, in one compilation of everything at -O3, in a
# folder whose name has a blank, with CDPATH and GLIA_PATH set and a TMPDIR that is not there, two checks of one source at
# once, and from the tarball that `make dist` makes after a check. Each compiles without a warning and passes `make check`
# (PARTS: those of its tests that the way could break); none writes below the source. WAYS="clang flto" builds only these.
set -u
unset CDPATH GLIA_PATH
: "${WAYS:=clang no_archive flto odd twice dist}" "${PARTS:=}"
base=$BUILD/tests/out/builds
rm -rf "$base"
mkdir -p "$base"
failed=0
say() { echo "$1"; case $1 in 'not ok'*) failed=1 ;; esac; }

# What git knows, or the tarball holds, so that the source is nobody's build folder.
copy() {
  mkdir -p "$1" || return
  if [ -e "$SRC/.git" ]; then (cd "$SRC" && git ls-files -z | xargs -0 tar cf - 2>/dev/null) | (cd "$1" && tar xf -) && (cd "$1" && ./bootstrap)
  else (cd "$SRC" && tar cf - --exclude='./tests/out' --exclude='*.o' --exclude='.libs' .) | (cd "$1" && tar xf -); fi
}
seen() { (cd "$1" && find . -name .git -prune -o -type f -print | sort | xargs cksum); }

around() { :; }      # what is so while it is made and checked

# way NAME SOURCE CONFIGURE...: configures beside the source, makes, checks; what it says is in NAME.log
way() {
  name=$1 from=$2
  shift 2
  build=$base/$name.build
  mkdir -p "$build" && seen "$from" >"$base/$name.before"
  if (cd "$build" && "$from/configure" -q "$@" && around && $MAKE -s && $MAKE -s check PARTS="$PARTS") >"$base/$name.log" 2>&1 &&
    ! grep 'warning:' "$base/$name.log" && seen "$from" | diff "$base/$name.before" - >>"$base/$name.log"
  then say "ok $name: $(grep ' passed, ' "$base/$name.log" | tail -n 1)"
  else say "not ok $name: see $base/$name.log"; grep '^not ok\|rror:\|warning:' "$base/$name.log" | head -n 20; fi
}

source=$base/source
copy "$source" >"$base/copy.log" 2>&1 || { cat "$base/copy.log"; exit 1; }
for w in $WAYS; do
  case $w in
    clang) if command -v clang >/dev/null; then way clang "$source" CC=clang CFLAGS='-g -O2'; else echo 'there is no clang here'; fi ;;
    no_archive) way no_archive "$source" --disable-static CC="$CC" ;;
    flto) way flto "$source" CC="$CC" CFLAGS='-O3 -flto=auto' ;;
    odd)
      copy "$base/a source" >"$base/copy.log" 2>&1
      around() {
        CDPATH=/:$base GLIA_PATH=$base/nowhere:/usr TMPDIR=$base/not_there
        export CDPATH GLIA_PATH TMPDIR
      }
      way odd "$base/a source" CC="$CC"
      around() { :; } ;;
    twice)
      way first "$source" CC="$CC" &
      way second "$source" CC="$CC" --disable-static
      wait $! || failed=1
      grep -q ' 0 failed' "$base/first.log" || failed=1 ;;
    dist)
      # after a check in the source itself: no program that was built there is in the tarball, which builds and passes
      if (cd "$source" && ./configure -q CC="$CC" && $MAKE -s && $MAKE -s check PARTS="embed fuzz style" && $MAKE -s dist) >"$base/dist.log" 2>&1
      then
        (cd "$base" && tar xzf "$source"/glia-*.tar.gz)
        built=$(find "$base"/glia-* -type f -exec sh -c 'for f; do head -c 4 "$f" | grep -q "^.ELF" && echo "$f"; done' sh {} +)
        [ -z "$built" ] && say 'ok dist: no program is in it' || say "not ok dist: $built"
        way tarball "$(echo "$base"/glia-*)" CC="$CC"
      else say "not ok dist: see $base/dist.log"; fi ;;
    *) say "not ok $w: no such way" ;;
  esac
done
exit $failed
