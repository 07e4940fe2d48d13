// Adds the local time to times, which the page shows in UTC.

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function nameLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.title = format.format(at);
  }
}
