"""Jobs: programs and models run to their end over data from S3."""
