# Of many mistakes the first hundred of the text are told, whichever part of checking finds them.
awk 'BEGIN { for (k = 0; k < 1500; k++) print k % 3 ? "let a" k " = undefd" k "(1)" : "let a" k " = [1, 2] @ [1, 2, 3]" }'
