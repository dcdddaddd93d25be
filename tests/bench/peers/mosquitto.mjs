export const name = 'mosquitto'; export const missing = () => 'not written yet'
