"""What does a study file lead to? All designs side by side, as rows, tables and a paragraph."""
