/** Imported for its effect: a fresh network namespace, as rehearsal/enter.sh makes one, has its loopback down. */
import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";

if (!networkInterfaces()["lo"]) execFileSync("ip", ["link", "set", "lo", "up"]);
