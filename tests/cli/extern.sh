# Foreign libraries are opened when a script runs, and not with --no-extern: then a check goes through and a run is refused.
cat >j.nn <<'END'
extern "libm.so.6" fn j0(x: f64) -> f64
print j0(f64(1.0))
END
"$GLIA" j.nn; echo $?
"$GLIA" --no-extern check j.nn; echo $?
"$GLIA" --no-extern j.nn 2>&1; echo $?
