"""What IFC says of a component type: its property sets, read at run time from the optional extra `bim`."""
