"""Jobs: what all kinds share (states, programs run as a container would, S3 in and out), and each kind."""
