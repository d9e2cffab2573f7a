/** The API answers errors as JSON, and the provider shows it as it is. */
export function apiError(message: string, status = 400): Error {
  return new Error(JSON.stringify({ error: message, status }));
}
