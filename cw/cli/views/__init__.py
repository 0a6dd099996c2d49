"""How things look: tables, lines, colours, pages."""
