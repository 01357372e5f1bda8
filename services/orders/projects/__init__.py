"""Projects (项目) and the places their goods are delivered to."""
