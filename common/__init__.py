"""What the labs share: data, recipe, training loop, records, inspection and figures."""
