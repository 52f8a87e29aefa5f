#!/bin/sh
# builds: the ways in which others build and test: with clang, without the archive, in one compilation of everything at
# -O3, in a folder whose name has a blank, with CDPATH and GLIA_PATH set and a TMPDIR that is not there, two checks of
# one source at once, and from the tarball that `make dist` makes after a check. Each compiles without a warning and
# passes `make check` (PARTS="lang bad": these parts of it); none writes below the source. WAYS="clang flto" builds only
# these.
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
  if [ -e "$SRC/.git" ]; then
    (cd "$SRC" && git ls-files -z | xargs -0 tar cf -) | (cd "$1" && tar xf -) && (cd "$1" && ./bootstrap)
  else
    (cd "$SRC" && tar cf - --exclude='./tests/out' --exclude='*.o' --exclude='.libs' .) | (cd "$1" && tar xf -)
  fi
}
seen() { (cd "$1" && find . -type f -exec cksum {} + | sort); }

around() { :; }      # what is so while it is made and checked

# way NAME SOURCE CONFIGURE...: configures beside the source, makes, checks; what it says is in NAME.log. Automake builds
# a source whose path has a blank where it stands only.
way() {
  name=$1 from=$2
  shift 2
  build=$base/$name.build configure=$from/configure kept=$from
  case $from in *' '*) build=$from configure=./configure kept=$base/nothing ;; esac
  log=$base/$name.log
  mkdir -p "$build" "$kept" && seen "$kept" >"$base/$name.before"
  if (cd "$build" && "$configure" -q "$@" && around && $MAKE -s && $MAKE -s check PARTS="$PARTS") >"$log" 2>&1 &&
    ! grep 'warning:' "$log" && seen "$kept" | diff "$base/$name.before" - >>"$log"
  then
    say "ok $name: $(grep ' passed, ' "$log" | tail -n 1)"
  else
    say "not ok $name: see $log"
    grep '^not ok\|rror:\|warning:' "$log" | head -n 20
  fi
}

# After a check in a source itself: no program that was built there is in its tarball, which builds and passes.
dist() {
  copy "$base/own" >"$base/copy.log" 2>&1
  (cd "$base/own" && ./configure -q CC="$CC" && $MAKE -s && $MAKE -s check PARTS='embed fuzz style' && $MAKE -s dist &&
    tar xzf glia-*.tar.gz -C "$base") >"$base/dist.log" 2>&1 || { say "not ok dist: see $base/dist.log"; return; }
  built=$(find "$base"/glia-* -type f -exec sh -c 'for f; do head -c 4 "$f" | grep -q "ELF" && echo "$f"; done' sh {} +)
  if [ -z "$built" ]; then say 'ok dist: no program is in it'; else say "not ok dist: $built"; fi
  way tarball "$(echo "$base"/glia-*)" CC="$CC"
}

source=$base/source
copy "$source" >"$base/copy.log" 2>&1 || { cat "$base/copy.log"; exit 1; }
for w in $WAYS; do
  case $w in
    clang)
      if command -v clang >/dev/null; then way clang "$source" CC=clang CFLAGS='-g -O2'
      else echo 'there is no clang here'; fi ;;
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
      (way first "$source" CC="$CC"; exit $failed) &
      way second "$source" CC="$CC"
      wait $! || failed=1 ;;
    dist) dist ;;
    *) say "not ok $w: no such way" ;;
  esac
done
exit $failed
