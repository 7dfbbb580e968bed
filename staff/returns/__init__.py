"""What shoppers send back, and what the office says to it. Money and stock follow by the models' own verbs."""
