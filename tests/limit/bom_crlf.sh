# a byte-order mark is skipped, CRLF is a newline
printf '\357\273\277let x = 1\r\nprint x +\r\n  1\r\n'
