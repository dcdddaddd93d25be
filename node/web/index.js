import '@shared/desk/main.js'
