import '@shared/office/main.js'
