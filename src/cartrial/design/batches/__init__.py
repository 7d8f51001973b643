"""How are very many trials run? In batches, on one process, several or a cluster, in a folder or an object store."""
