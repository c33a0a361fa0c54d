"""What lies in files of tensors and of exported programs, read without running anything of theirs."""
