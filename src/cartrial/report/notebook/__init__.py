"""How is a thing shown in a notebook? Studies, data sets, results, designs and figures, in HTML that nothing else is needed for."""
