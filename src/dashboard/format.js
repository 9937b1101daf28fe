// Numbers and times as people read them.

const WHOLE = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const count = (number) => WHOLE.format(number);

export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

export function rate(value) {
  if (value >= 100 || Number.isInteger(value)) return count(Math.round(value));
  return value.toFixed(1);
}

/** A span of time with one unit, or two where one says too little. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const moment = (epochMs) => CLOCK.format(new Date(epochMs));

/** The statuses of Eureka, in the order in which they are shown. */
export const STATUSES = ["UP", "OUT_OF_SERVICE", "DOWN", "STARTING", "UNKNOWN"];

const WORDS = {
  UP: "Up",
  OUT_OF_SERVICE: "Out of service",
  DOWN: "Down",
  STARTING: "Starting",
  UNKNOWN: "Unknown",
};

export const statusWord = (status) => WORDS[status] ?? status;
