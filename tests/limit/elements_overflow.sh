# sizes whose product overflows
echo 'let x = zeros([4_000_000_000, 4_000_000_000, 4_000_000_000])'
