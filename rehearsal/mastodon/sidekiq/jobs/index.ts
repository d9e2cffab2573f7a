import type { Instance } from "../../app/instance";
import type { Job } from "../../app/jobs";
import { backup } from "./archive";
import { deliver, deliveryExhausted, distribute } from "./delivery";
import { fanOut, merge, notify, remove } from "./feeds";
import { postProcess, redownload } from "./media";
import { processActivity } from "./processing";
import { suspend, unsuspend } from "./suspension";

type Worker = (i: Instance, ...args: never[]) => Promise<void>;

const workers: Record<string, Worker> = {
  DistributionWorker: fanOut,
  LocalNotificationWorker: notify,
  MergeWorker: merge,
  RemovalWorker: remove,
  PostProcessMediaWorker: postProcess,
  RedownloadMediaWorker: redownload,
  BackupWorker: backup,
  "Admin::SuspensionWorker": suspend,
  "Admin::UnsuspensionWorker": unsuspend,
  "ActivityPub::DistributionWorker": distribute,
  "ActivityPub::DeliveryWorker": deliver,
  "ActivityPub::ProcessingWorker": processActivity,
  "Scheduler::InstanceRefreshScheduler": (i) =>
    i.db.rows("REFRESH MATERIALIZED VIEW CONCURRENTLY instances").then(() => {}),
};

/** Does one job. Every one may be done twice: a job can come again after a failure at its end. */
export async function perform(i: Instance, job: Job): Promise<void> {
  const worker = workers[job.class];
  if (!worker) throw Object.assign(new Error(`uninitialized constant ${job.class}`), { name: "NameError" });
  await worker(i, ...(job.args as never[]));
}

/** What a class does when its last try has failed. */
export async function exhausted(i: Instance, job: Job): Promise<void> {
  if (job.class === "ActivityPub::DeliveryWorker") await deliveryExhausted(i, job);
}
