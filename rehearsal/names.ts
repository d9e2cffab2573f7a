/** Names and addresses of the lab that several parts have to agree on. */
export const domain = "social.example";
export const sourceAddress = "198.18.0.10";
/** A server that is there already, where the variant wants one. */
export const targetAddress = "198.18.1.10";
/** Where remote servers are. */
export const edge = "198.18.2.1";
export const resolver = "198.18.2.53";
/** Where the CDN speaks from, in the variant that has one. */
export const cdn = "198.18.2.200";
