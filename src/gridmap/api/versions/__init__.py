"""Plans and their versions: made, published, compared, handed out."""
