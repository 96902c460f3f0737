/** Somebody who wants to know when a signal aborts. */
export interface Follower {
  aborted(reason: unknown): void;
}

/**
 * Tells the follower once, when the signal aborts, which it has not done yet. A signal is listened to by one for all who follow it, who stays there and holds on to
 * nobody: to stop listening costs more than all else that is done to watch a call.
 */
export function follow(signal: AbortSignal, follower: Follower): void {
  const followed = signal as Followed;
  let followers = followed[followersOf];
  if (followers === undefined) {
    followers = followed[followersOf] = { one: undefined, others: undefined };
    signal.addEventListener('abort', tell);
  }
  if (followers.one === undefined) followers.one = follower;
  else (followers.others ??= new Set()).add(follower);
}

/** It no longer wants to know. */
export function unfollow(signal: AbortSignal, follower: Follower): void {
  const followers = (signal as Followed)[followersOf];
  if (followers?.one === follower) followers.one = undefined;
  else followers?.others?.delete(follower);
}

const followersOf = Symbol('sage-adk:followers');

interface Followed extends AbortSignal {
  [followersOf]?: Followers;
}

/** Mostly it is one. */
interface Followers {
  one: Follower | undefined;
  others: Set<Follower> | undefined;
}

function tell(this: Followed): void {
  const { one, others = [] } = this[followersOf] ?? {};
  delete this[followersOf];
  for (const follower of [one, ...others]) follower?.aborted(this.reason);
}
