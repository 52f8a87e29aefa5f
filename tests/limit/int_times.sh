print_program() { echo 'let n = 4611686018427387904'; echo 'print n * 2'; }
print_program
