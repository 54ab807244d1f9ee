module policy

go 1.24
