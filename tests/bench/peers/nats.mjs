export const name = 'nats'; export const missing = () => 'not written yet'
