"""How is a figure drawn? One module a figure: each takes rows or records that are ready and draws them."""
