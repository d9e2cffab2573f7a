import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync } from "node:fs";
import path from "node:path";
import { run } from "../../lab/run";
import { schema } from "../../mastodon/schema";
import { bucket } from "./settings";
import type { MediaSite } from "./site";

const planter = path.join(__dirname, "plant.py");
/** As plant.py has them. */
const base = "113555001222000000";
const rowsOfTemplate = 25_000;
const templateBytes = 1000;
const long = { timeoutMs: 1_800_000 };

/** Many pictures on the server's disk and in the bucket, and the rows that stand for them: two files a row. */
export class Library {
  private rows = 0;
  /** Files that were posted while the bucket had the others. */
  posted = 0;

  private constructor(private readonly site: MediaSite) {}

  static async open(site: MediaSite): Promise<Library> {
    await site.host.exec(["systemctl", "restart", "postgresql@15-main"]);
    const library = new Library(site);
    await library.sql("CREATE ROLE mastodon LOGIN;", "postgres");
    await library.sql("CREATE DATABASE mastodon_production OWNER mastodon;", "postgres");
    await library.sql(schema());
    return library;
  }

  get files(): number {
    return this.rows * 2;
  }

  /**
   * So many files, on the disk and in the bucket alike. All are hard links to a few, which the store was given in the
   * usual way: it finds with each what it keeps with an object.
   */
  async grow(files: number): Promise<void> {
    const [first, end] = [this.rows, (this.rows = files / 2)];
    await this.template(end);
    const { tree } = this.site;
    await Promise.all([
      plant("link", tree, first, end, templates(tree)),
      plant("link", this.bucket, first, end, templates(this.bucket)),
    ]);
    this.storedLater();
    await this.insert(first, end, "'2023-01-01'");
  }

  /** Rows of so many files that are posted now; returns what writes the files, to the disk alone. */
  async post(files: number): Promise<() => Promise<void>> {
    const [first, end] = [this.rows, (this.rows += files / 2)];
    this.posted += files;
    await this.template(end);
    await this.insert(first, end, "now() AT TIME ZONE 'UTC'");
    return () => plant("copy", this.site.tree, first, end, templates(this.site.tree));
  }

  /** A link is a change of the file's inode, and a file that changed after it was stored is stored again. */
  private storedLater(): void {
    const later = Date.now() / 1000 + 60;
    for (const name of readdirSync(templates(this.bucket)))
      utimesSync(path.join(templates(this.bucket), name), later, later);
  }

  private get bucket(): string {
    return this.site.objects;
  }

  /** Templates for so many rows. */
  private async template(rows: number): Promise<void> {
    for (let n = 0; n * rowsOfTemplate < rows; n++) {
      const [file, object] = [this.site.tree, this.bucket].map((tree) =>
        path.join(templates(tree), String(n)),
      );
      if (existsSync(file!)) continue;
      const text = String(n).padStart(templateBytes, ".");
      this.site.write(file!, text);
      await this.site.gateway.must("PUT", `/${bucket}/template`, text);
      mkdirSync(path.dirname(object!), { recursive: true });
      renameSync(path.join(this.bucket, "template"), object!);
    }
  }

  private async insert(first: number, end: number, when: string): Promise<void> {
    await this.sql(
      `INSERT INTO media_attachments (id, file_file_name, file_content_type, file_file_size, file_updated_at, type,
         processing, file_storage_schema_version, created_at, updated_at)
       SELECT ${base} + n, left(md5(n::text), 16) || '.png', 'image/png', ${templateBytes}, ${when}, 0,
         2, 1, ${when}, ${when}
       FROM generate_series(${first}, ${end - 1}) AS n;
       ANALYZE media_attachments;`,
    );
  }

  private async sql(text: string, database = "mastodon_production"): Promise<void> {
    const psql = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"];
    await this.site.host.exec(["runuser", "-u", "postgres", "--", ...psql], { ...long, input: text });
  }
}

/** So many files with bytes of their own, as people post them; on the disk alone. */
export const plantOwn = (site: MediaSite, files: number) => plant("own", site.tree, 0, files / 2);

/** Beside the folder that they are linked into, on the same disk. */
const templates = (tree: string) => `${tree}.templates`;

async function plant(how: string, tree: string, first: number, end: number, from = ""): Promise<void> {
  await run(["python3", planter, how, tree, String(first), String(end), from], long);
}
