"""Nothing secret leaves a HOME: what is known is blotted out, however it is written."""
