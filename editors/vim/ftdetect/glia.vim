autocmd BufRead,BufNewFile *.nn setfiletype glia
