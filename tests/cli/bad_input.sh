# What a person gets wrong: a script, a shape, a name, a data file. One clear error, status 1, and nothing printed or written, by the lines
# before it no more than by those behind.
data=${0%/tests/*}/examples/mnist/data
images=train-images-idx3-ubyte
labels=train-labels-idx1-ubyte
mkdir good && for f in "$data"/*.gz; do ln -s "$f" good; done

try() {        # try WHAT: wrong.nn; says what came out, how many errors it is, and which files there are now that were not
  find . | sort >../bad_input.before
  "$GLIA" wrong.nn >../bad_input.stdout 2>../bad_input.stderr </dev/null
  status=$?
  find . | sort >../bad_input.after
  echo "---- $1: status $status, $(grep -c 'error:' ../bad_input.stderr) error"
  cat ../bad_input.stdout ../bad_input.stderr
  grep -vxFf ../bad_input.before ../bad_input.after
  rm -f ../bad_input.* *.npy *.safetensors
}
script() {     # script LINE: the line with work that leaves traces on both sides
  cat >wrong.nn <<END
param w = [1.0, 2]
print "begin", w
save("first.safetensors", w)
to_npy("first.npy", w)
$1
save("last.safetensors", w)
to_npy("last.npy", w)
print "end"
END
}
try 'no script'
mkdir wrong.nn
try 'a folder'
rmdir wrong.nn
script 'print w + [1, 2, 3]'
try 'shape'
script 'for i in 1..3 { let k = [1, 2] @ w[None, :] }'
try 'shape in a loop'
script 'print weight'
try 'name'
script 'proc never() { prnt(w) }'
try 'name in what is never called'
script 'let d = mnist()'
try 'no data'
script 'let d = mnist("good/nowhere")'
try 'no folder of data'

# the four files of MNIST, one of them spoiled
spoil() { rm -rf spoilt; mkdir spoilt && for f in "$data"/*.gz; do ln -s "$f" spoilt; done; rm "spoilt/$1.gz"; }
script 'let d = mnist("spoilt"); print sum(d.train.x), sum(d.train.y)'
spoil $labels
try 'one file missing'
spoil $labels
gzip -dc "$data/$labels.gz" | head -c 5000 >spoilt/$labels
try 'IDX cut in its data'
spoil $labels
gzip -dc "$data/$labels.gz" | head -c 6 >spoilt/$labels
try 'IDX cut in its header'
spoil $labels
: >spoilt/$labels
try 'IDX of nothing'
spoil $labels
{ gzip -dc "$data/$labels.gz"; echo; } >spoilt/$labels
try 'IDX with more behind'
spoil $labels
gzip -dc "$data/t10k-labels-idx1-ubyte.gz" >spoilt/$labels
try 'labels of other images'
spoil $labels
echo 'this is a page that says 404' >spoilt/$labels
try 'not an IDX'
spoil $images
head -c 100000 "$data/$images.gz" >spoilt/$images.gz
try 'gzip cut'
spoil $labels
size=$(wc -c <"$data/$labels.gz")
{ head -c $((size - 8)) "$data/$labels.gz"; printf 'abcd'; tail -c 4 "$data/$labels.gz"; } >spoilt/$labels.gz
try 'gzip with a wrong checksum'
spoil $labels
{ head -c 1000 "$data/$labels.gz"; printf 'spoilt'; tail -c +1007 "$data/$labels.gz"; } >spoilt/$labels.gz
try 'gzip with wrong bytes'
spoil $labels
mkdir spoilt/$labels
try 'a folder for a file'
