// Real clusters, and times that are measured: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
