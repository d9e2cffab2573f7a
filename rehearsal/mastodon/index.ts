export { container, folder as composeFolder } from "./compose/project";
export { installMastodon, type Installed, type InstallOptions, type Person } from "./install";
export { layoutOf, type Layout, type SiteVariant, type Variant } from "./variant";
