/** What a check found. It passed if there is no problem; the note is shown either way. */
export interface Verdict {
  /** Each a sentence that says where, what, and if it is not plain, what to do. */
  readonly problems: readonly string[];
  readonly note?: string;
}
