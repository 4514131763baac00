"""What a person sees of the resources in a cluster: one file for each way of looking."""
