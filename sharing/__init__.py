"""A model directory in; a repository on the Hub, ONNX files or a page to look at out."""
