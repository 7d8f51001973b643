"""How does a design do on virtual trials, thousands of them?"""
