# GradBench's protocol, as bench/gradbench/gradbench speaks it: messages, numbers there and back, what is wrong with them.
cd "$(dirname "$0")/../.." || exit 1
talk() { "$BUILD/bench/gradbench/gradbench" bench/gradbench 2>&1 | sed 's/"nanoseconds":[0-9]*/"nanoseconds":0/g'; }
talk <<'END'
{"id": 0, "kind": "start", "eval": "hello"}
{"id": 1, "kind": "evaluate", "module": "hello", "function": "square", "input": 3.0}
{"id": 2, "kind": "define", "module": "../hello"}
{"id": 3, "kind": "define", "module": "goodbye"}
{"id": 4, "kind": "define", "module": "hello"}
{"id": 5, "kind": "evaluate", "module": "hello", "function": "square", "input": 3.0}
{"id": 6, "kind": "analysis", "of": 5, "valid": true}
{"id": 7, "kind": "evaluate", "module": "hello", "function": "cube", "input": 3.0}
{"id": 8, "kind": "evaluate", "module": "hello", "function": "double", "input": "three"}
{"id": 9, "kind": "evaluate", "module": "hello", "function": "double", "input": [1, 2]}
{"id": 10, "kind": "define", "module": "llsq"} {"id": 11, "kind": "evaluate", "module": "llsq",
 "function": "gradient", "input": {"x": [1, 1], "n": 3, "min_runs": 2, "min_seconds": 0}}
{"id": 12, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [1, 1]}}
{"id": 13, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [1, 1], "n": 2.5}}
{"id": 14, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [[1, 2], [3]], "n": 2}}
{"id": 15, "kind": "define", "module": "kmeans"}
{"id": 16, "kind": "evaluate", "module": "kmeans", "function": "dir", "input":
 {"points": [[0, 0], [2, 0], [9, 9]], "centroids": [[0.5, 1], [8, 8]]}}
{"id": 17, "kind": "evaluate", "module": "kmeans", "function": "cost", "input": {"points": [[0]], "centroids": [[0, 1]]}}
{"id": 18, "kind": "define", "module": "ba"}
{"id": 19, "kind": "evaluate", "module": "ba", "function": "objective", "input":
 {"n": 2, "m": 3, "p": 4, "cam": [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], "x": [2, 4, 2], "w": 2, "feat": [0, 1]}}
END
echo '{"id": 0, "kind":' | talk
