import '@shared/resident/main.js'
