"""What can be done to what is kept? Each act stands in one transaction with its event in the chain."""
