// Every test here is a cluster of three processes, and most measure time: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
