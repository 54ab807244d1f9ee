module example.com/allowed-hosts

go 1.24
