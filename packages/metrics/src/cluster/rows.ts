import { gauge } from '../table/row.ts';

/** Metrics of merging itself. */
export const clusterMetrics = {
  workers: gauge(
    'sage_cluster_workers',
    'Workers by what is shown of them: their numbers of now, their last report as they did not answer in time, or their totals as they ended.',
    'cluster',
    ['state'],
    { values: { state: ['now', 'late', 'ended'] } },
  ),
  conflicts: gauge(
    'sage_cluster_conflicts',
    'Metrics of workers that are not shown, for another worker has them with another type or other buckets.',
    'cluster',
  ),
};
