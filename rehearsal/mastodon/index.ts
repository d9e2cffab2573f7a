export { installMastodon, type Installed, type InstallOptions, type Person } from "./install";
export { layoutOf, type Layout, type SiteVariant, type Variant } from "./variant";
