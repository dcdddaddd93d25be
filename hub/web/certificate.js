import '@shared/certificate/main.js'
