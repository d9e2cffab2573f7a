export type Size = "small" | "medium" | "large";

/** How much an instance holds. */
export interface Amounts {
  /** Local users with a token each, and local accounts that only get followed. */
  users: number;
  followable: number;
  remoteAccounts: number;
  domains: number;
  statuses: number;
  /** Rows of media_attachments; about two files each. */
  media: number;
  /** Mean bytes of a media file. */
  bytes: number;
  emojis: number;
  cards: number;
}

export const amounts: Record<Size, Amounts> = {
  small: {
    ...{ users: 50, followable: 10, remoteAccounts: 300, domains: 40, statuses: 3000 },
    ...{ media: 110, bytes: 20_000, emojis: 12, cards: 20 },
  },
  medium: {
    ...{ users: 50, followable: 50, remoteAccounts: 4000, domains: 400, statuses: 300_000 },
    ...{ media: 3500, bytes: 100_000, emojis: 100, cards: 600 },
  },
  large: {
    ...{ users: 80, followable: 100, remoteAccounts: 20_000, domains: 2000, statuses: 1_500_000 },
    ...{ media: 14_000, bytes: 120_000, emojis: 400, cards: 3000 },
  },
};
