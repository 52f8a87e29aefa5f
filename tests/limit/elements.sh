# more than 1 TiB
echo 'let x = zeros([1_000_000, 1_000_000])'
