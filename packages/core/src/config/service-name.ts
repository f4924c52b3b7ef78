/** A name that separates the keys of one fleet from those of others. */
export const SERVICE_NAME = /^[A-Za-z0-9._-]{1,100}$/;
export const SERVICE = 'a name of letters, digits, ., _ and -';
