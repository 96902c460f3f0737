import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { follow, unfollow } from '../src/follow.ts';

describe('a signal that is followed', () => {
  test('tells all who still follow it, once', () => {
    const controller = new AbortController();
    const told: string[] = [];
    const followers = ['first', 'second', 'third', 'fourth'].map((name) => ({
      aborted: (reason: unknown) => void told.push(`${name}: ${String(reason)}`),
    }));
    for (const follower of followers) follow(controller.signal, follower);
    for (const index of [0, 2]) unfollow(controller.signal, followers[index] ?? { aborted() {} });
    controller.abort('enough');
    controller.abort('more than enough');
    expect(told).toEqual(['second: enough', 'fourth: enough']);
  });

  test('is listened to by one, however many follow it and leave again', () => {
    const { signal } = new AbortController();
    const followers = Array.from({ length: 20 }, () => ({ aborted() {} }));
    for (const follower of followers) follow(signal, follower);
    for (const follower of followers) unfollow(signal, follower);
    for (const follower of followers.slice(0, 3)) follow(signal, follower);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });
});
