"""Single images as Pillow reads and writes them, and folders of them as video."""
