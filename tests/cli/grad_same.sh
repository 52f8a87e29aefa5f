# glia grad: of each function of grad_functions.nn its gradient as text parses, and computes the bits of grad(f), in both
# float types; so does that of a weighted sum of the text, and of one of that text, which is near the third derivative.
exec 2>&1
functions=$(cd "$(dirname "$0")" && pwd)/grad_functions.nn
for name in ${NAMES:-$(sed -n 's/^fn \([a-z_]*\)(.*/\1/p' "$functions")}; do
  shape=$(sed -n "s/^fn $name(x: \(\[[0-9, ]*\]\)).*/\1/p" "$functions")
  size=$(echo "$shape" | tr -d '[] ' | tr , '*')
  for type in f32 f64; do
    near=1e-9
    [ $type = f64 ] || near=3e-3
    cp "$functions" all.nn
    cat >>all.nn <<END
let weights = $type(reshape(cos(linspace(1, 3, $size)), $shape))
END
    of=$name own=$name
    for order in 1 2 3; do
      "$GLIA" grad all.nn -f "$of" --at "x: $type$shape" --quiet >text || { cat text; break; }
      sed "s/^fn grad_$of/fn text$order/" text >>all.nn
      cat all.nn - >try.nn <<END
let x = $type(reshape(linspace(0.31, 0.89, $size), $shape))
let text = text$order(x)
let same = grad($of)(x)
let far = grad($own)(x)
assert all(text == same or (isnan(text) and isnan(same))), "$name $type $order: {text} is not {same}"
assert all(abs(text - far) <= $near * (1 + max(abs(far)))), "$name $type $order: {text} is not near {far}"
assert sum(abs(text)) > 0, "$name $order: nothing"
END
      "$GLIA" --quiet try.nn || break
      cat >>all.nn <<END
fn weighted$order(x) = sum(text$order(x) * weights)
fn own$order(x) = sum(grad($own)(x) * weights)
END
      of=weighted$order own=own$order
    done
    n=$((n + order))
  done
done
echo "done"
