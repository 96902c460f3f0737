/** Whether something can be pushed there. Credentials would be refused by `fetch`, and quoted in errors; a query or a hash would end up before the path of the group. */
export function isGatewayUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username + url.password === '' && !/[?#]/.test(text);
}
